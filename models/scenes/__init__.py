"""Simulated samples with known truth: where emitters sit, when they shine, what is around them, what is seen."""
