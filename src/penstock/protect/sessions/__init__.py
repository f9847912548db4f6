"""Protection by structure: what a conversation holds, who said it, and whether a tool call follows from the user.

``Sessions`` is what the gateway holds. All below it is pure: a conversation and calls in, rulings out.
"""
