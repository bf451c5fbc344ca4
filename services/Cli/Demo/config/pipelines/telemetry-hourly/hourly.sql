SELECT sensor_id, sensor, site, start_time, readings, avg_value, min_value, max_value
FROM parts
