"""A bank in memory: what the ledger should do, written in lists and loops.

It shares values with the product (`Credits`, outcomes, kinds) and none of its rules, so that the
two can be compared. It is in no hurry: everything is searched for, nothing is kept twice.
"""
