"""What the library costs: `python -m bench [NAME...] [--json] [--seconds S]`."""
