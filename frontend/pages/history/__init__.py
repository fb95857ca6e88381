"""History and usage: a list, one prediction with its reasons and refunds, charts of use.

The page's address says which of them is shown, so each can be reloaded, shared and gone back to.
"""
