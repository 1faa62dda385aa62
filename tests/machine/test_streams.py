import subprocess
import sys

CHILD = """
from kd_core.machine.streams import own_streams
commands, answers = own_streams(expendable=0)
print("a stray print")
import sys
assert sys.stdin.read() == ""
answers.write("heard " + commands.readline())
answers.flush()
"""


def test_answers_and_stray_prints_are_kept_apart():
    done = subprocess.run([sys.executable, "-c", CHILD], input="a line\n", capture_output=True, text=True, check=True)
    assert done.stdout == "heard a line\n"
    assert done.stderr == "a stray print\n"
