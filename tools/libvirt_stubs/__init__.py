"""What `tools/generate_libvirt_stubs.py` is made of: read, derive, correct, render, check."""
