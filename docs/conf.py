"""How the documentation is built."""

import computekit

project = "computekit"
author = "The computekit maintainers"
version = release = computekit.__version__

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"computekit {release}"
myst_heading_anchors = 3
