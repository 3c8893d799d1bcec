"""Warnings in words, with the likely fix, from the health of the layers and the course of the training."""

from cnncli.training.advice.advice import Advice
from cnncli.training.advice.advise import advise

__all__ = ["Advice", "advise"]
