"""Findings, their codes and their formats."""
