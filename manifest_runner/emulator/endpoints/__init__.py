"""One module for each group of the API's endpoints."""
