"""Networks in whole numbers: their ONNX file with weights and values of few bits."""
