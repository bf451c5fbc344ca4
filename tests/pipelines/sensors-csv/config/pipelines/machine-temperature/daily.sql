SELECT
    sensor,
    CAST(timestamp AT TIME ZONE 'UTC' AS DATE) AS day,
    min(value) AS min_value,
    avg(value) AS mean_value,
    max(value) AS max_value,
    count(*) AS readings
FROM readings
GROUP BY ALL
ORDER BY sensor, day
