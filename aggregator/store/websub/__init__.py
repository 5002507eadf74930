"""Tables of WebSub: our subscriptions at hubs, and the subscribers of our own hub."""
