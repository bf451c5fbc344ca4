SELECT sensor_id, date_trunc('hour', "timestamp") AS hour, count(*) AS readings, sum(value) AS total, avg(value) AS mean FROM readings GROUP BY ALL
