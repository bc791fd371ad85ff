"""The job of OpenStack Nova and Placement as a typed library."""
