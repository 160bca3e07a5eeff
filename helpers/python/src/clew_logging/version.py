"""The version in pyproject.toml, for the resource attributes and the user agent."""

version = "0.1.0"
