SELECT c.user_id, any_value(p.country) AS country, count(*) AS clicks, CAST(sum(c.ms) AS BIGINT) AS ms, max(c.page) AS last_page
FROM c JOIN p USING (user_id)
GROUP BY c.user_id
