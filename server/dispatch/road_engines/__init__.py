"""Drives beyond the scheduler's own: routing servers, who stands in for whom, what is remembered."""
