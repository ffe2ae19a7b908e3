"""What is stored: tables, one module per noun, files in and out, the demo county."""
