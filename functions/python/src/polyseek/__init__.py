"""Client of a polyseek endpoint."""

from .client import AsyncPolyseek, Polyseek, PolyseekError

__all__ = ["AsyncPolyseek", "Polyseek", "PolyseekError"]
