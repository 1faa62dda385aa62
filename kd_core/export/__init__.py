"""Models as they are used outside: one ONNX file that takes raw columns."""
