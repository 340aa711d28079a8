"""What tests share: a clean environment, and the real things (Valkey, PostgreSQL, Chromium, the whole floor)."""
