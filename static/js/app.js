// What every page runs.  Each module does one thing, and minds its own elements.
