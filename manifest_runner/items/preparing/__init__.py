"""Prepare a document's analyses: open their rows, parse their templates, render what is the same for every row."""
