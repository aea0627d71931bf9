"""Reads a journal and says what a client of the API does that goes wrong later, in production."""

from mockserver.coach.remark import RULES, Remark
from mockserver.coach.remarks import remarks

__all__ = ["RULES", "Remark", "remarks"]
