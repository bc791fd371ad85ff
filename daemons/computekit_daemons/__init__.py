"""Reference daemons: settings and wiring around the public names of computekit."""
