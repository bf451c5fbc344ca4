SELECT user_id, any_value(country) AS country, CAST(sum(clicks) AS BIGINT) AS clicks, CAST(sum(ms) AS BIGINT) AS ms, max(last_page) AS last_page
FROM parts
GROUP BY user_id
