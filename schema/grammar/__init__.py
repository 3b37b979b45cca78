"""The grammar that all domains share: scalars, enums, errors, connections, filters, inputs."""
