"""From a trained network to one self-contained ONNX file, and the card that says what it is."""
