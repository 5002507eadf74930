"""From the publisher's text to ours: the security border, and the only user of the sanitiser.

What leaves this folder is safe to store and to serve; nothing else may make a `SafeHtml`.
"""
