SELECT user_id, country FROM profiles
