"""The rules that all endpoints share: bodies, errors, paging, media types."""
