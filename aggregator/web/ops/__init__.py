"""Pages and feeds for operators: status, metrics, source health, WebSub."""
