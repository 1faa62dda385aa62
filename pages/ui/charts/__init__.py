"""Arrays in, plain Plotly specs out; one module per screen. No chart reads files or knows streamlit."""
