"""The compiled search: it takes some visits out of a plan and puts them back better, many thousand times a
second."""
