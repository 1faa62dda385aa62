"""Every cap in one place, each with its reason. Nothing is cut silently: who applies a cap says so."""

FILE_BYTES = 200 * 2**20  # one upload: Streamlit keeps it in memory once while it arrives
ROWS = 5_000_000  # beyond this a table no longer fits the 4 GB goal with 20 columns
COLUMNS = 2_000  # wider tables are almost always a transposed or broken file
CELLS = 200_000_000  # rows x columns: a 228 KB Parquet can claim 50 M rows
CELL_BYTES = 100_000  # longer cells are documents or an unclosed quote
RAGGED_SHARE = 0.01  # so few rows of a wrong width are left out with a warning; more block the file
CLASSES = 1_000  # more distinct labels look like a number or an id, not like classes
LABELS = (
    300  # of a row that may have several: each is an answer of its own, and a target with as many rows as the table
)
LABEL_CHARACTERS = 200  # of a label's name: longer ones are texts
CHECKED_LABELS = 20  # the commonest of many: each is looked for in every column
FEW_CLASSES = 20  # whole numbers with more distinct values than this are taken for a measure
MIN_CLASS_ROWS = 3  # one row for each of train, validation and test
LARGEST_NUMBER = 1e100  # squares and ranges of larger values overflow; no measure is that large
TURN_DIGITS = 6  # of places on a circle (month, weekday, hour): engine and graph give the same bits then
LARGEST_FLOAT32 = 3e38  # a little less than float32 can hold
COPIES_SHARE = 0.1  # of the rows in one unit of copies: larger ones would decide what a part of the split holds
ITEMS = 100_000  # of a catalogue: each has a row of every student's table and of its last layer
MIN_ROWS = 30  # below this no split leaves anything to compare

ZIP_RATIO = 100  # ordinary text compresses up to ~20:1; bombs start at 1,000:1
ZIP_TOTAL_BYTES = 2 * 2**30  # sum of the members' declared sizes
ZIP_MEMBERS = 100_000  # well-known sets of small pictures hold 60,000 to 70,000; more is an attack
PICTURE_PIXELS = 50_000_000  # of one picture, from its head: a camera's largest; a small file can claim 50,000 x 50,000

PARSE_SECONDS = 120  # a spreadsheet child process is stopped after this
PARSE_MEMORY_BYTES = 6 * 2**30  # address space of that child process at most; what is read holds 2 GB at most
PARSE_MEMORY_SHARE = 0.5  # of free memory: the server, and what it makes of the table, need the rest
PARSE_MEMORY_LEAST = 2**30  # below this the libraries that read files don't start

ONE_HOT_CATEGORIES = 24  # rarer categories share one column; wider one-hot blocks slow every student
EXAMPLE_ROWS = 5  # row numbers named per problem
ONNX_SECONDS = 900  # an uploaded model answers all rows within this, or is stopped
SKOPS_SCHEMA_BYTES = 128 * 2**20  # the description of a scikit-learn model: 2,000 trees take 10 MB, 500,000 words 90 MB
KNOWN_ROWS = 50  # rows with a teacher's answer: on fewer it is compared with nobody
SOFT_LABEL_ROWS = 2_000  # test rows kept for the soft-label page
CELL_ROWS = 500  # validation rows kept per cell of a what-if, to look into any cell
CELL_NUMBERS = 2**25  # logits kept over all cells: 64 MB as float16; more cells or classes keep fewer rows
CURVE_POINTS = 1_000  # points sent to the browser per curve, first, last, best and extremes always among them
MIN_FREE_DISK_BYTES = 500 * 2**20  # a run refuses to start below this
QUEUE_LENGTH = 100  # runs waiting at once
CHECKPOINT_SECONDS = 30.0  # work that a crash may cost
EVENT_BATCH_SECONDS = 0.5  # a worker writes events at most this often
KILL_GRACE_SECONDS = 5.0  # from asking a worker to stop to killing it
SILENT_SECONDS = 60.0  # without a sign of work a page says so: a busy machine may hold a worker up for some seconds
WORK_SHARE = 0.02  # of one core: a process that uses less is waiting, not working
SWEEP_TRAININGS = 2_000  # trainings of one what-if: 25 cells x 5 sizes x 10 seeds and as many baselines fit well
TEACHER_CACHE_BYTES = 4 * 2**30  # kept answers of teachers; the least recently used go first
ENCODED_MEMORY_SHARE = 0.25  # of free memory for encoded rows; beyond it they lie in a mapped file
ENCODED_DISK_BYTES = 32 * 2**30  # encoded rows kept in files; the least recently used go first
SERVE_BODY_BYTES = 8 * 2**20  # of one request: a batch of rows or a dozen pictures; more belongs into several requests
SERVE_ROWS = 1_000  # of one request: answered in some milliseconds to seconds, so that others don't wait long
SERVE_BODY_SECONDS = 20.0  # from head to end of a request: who sends a byte now and then holds a connection
SERVE_SECONDS = 30.0  # for an answer, from the end of the request on
SERVE_WAITING = 64  # requests that wait for a thread; further ones are asked to come again
SERVE_THREADS = 4  # that make answers, at most one per core: more would only share them
SERVE_CONNECTIONS = 256  # open at once
SERVE_STOP_SECONDS = 10.0  # that a stopped service gives requests under way
TOKEN_CHARACTERS = 16  # of a token at least: fewer can be guessed
