"""What commands show, as lines and as JSON. Nothing here prints."""
