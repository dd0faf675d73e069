module libpat

go 1.19
