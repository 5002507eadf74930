"""From the publisher's text to ours: the security border, and the only user of the sanitiser.

Values that leave this folder are safe to store and to serve. Only this folder makes `SafeHtml`.
"""
