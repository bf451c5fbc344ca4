SELECT date_trunc('hour', "timestamp") AS hour, count(DISTINCT seq) AS readings, max(seq) AS last FROM raw GROUP BY ALL
