"""The grammar that every domain shares: scalars, enums, errors, connections, filters, inputs."""
