"""The commands: the only place that starts, wires and exits."""
