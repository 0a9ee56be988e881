"""The reader of the files of Tenrec, and the columns that it keeps."""
