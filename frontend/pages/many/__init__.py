"""Many apps from a file: read and checked row by row, bought in parts, written as a file again."""
