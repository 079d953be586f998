"""One module for each family of the API's endpoints."""
