"""The commands: the only package that starts the service, wires it and exits."""
