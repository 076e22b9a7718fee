"""What FuseIR costs and what it gains. A package of its own: xDSL installs one of the same name, which would be found otherwise."""
