"""Excel workbooks as rows: checked, cut into pieces if large, and read."""
