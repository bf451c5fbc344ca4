SELECT user_id, ms, page FROM clicks
