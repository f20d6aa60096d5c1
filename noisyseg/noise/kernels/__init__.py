"""Pure functions under the noise models: arrays and numbers in, arrays out, no draws."""

__all__: list[str] = []
