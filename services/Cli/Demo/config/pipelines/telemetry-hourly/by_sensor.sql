-- A sender that lost its connection may have sent a reading twice: (sensor_id, seq) tells.
WITH readings AS (
    SELECT DISTINCT ON (sensor_id, seq) sensor_id, value, "timestamp"
    FROM t
    WHERE kind = getvariable('kind')
)
SELECT
    r.sensor_id, s.name AS sensor, s.site, date_trunc('hour', r."timestamp") AS start_time,
    count(*) AS readings, avg(r.value) AS avg_value, min(r.value) AS min_value, max(r.value) AS max_value
FROM readings r
JOIN sensors s ON s.sensor_id = r.sensor_id
GROUP BY ALL
