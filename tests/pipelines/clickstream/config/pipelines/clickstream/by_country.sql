SELECT country, count(*) AS users, CAST(sum(clicks) AS BIGINT) AS clicks, CAST(sum(ms) AS BIGINT) AS ms, max(last_page) AS last_page
FROM users
GROUP BY country
