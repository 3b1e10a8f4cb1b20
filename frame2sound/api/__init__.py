"""The Python interface, whose names `frame2sound` itself offers; the command line is its client."""
