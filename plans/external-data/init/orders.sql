CREATE TABLE IF NOT EXISTS orders (id int);
