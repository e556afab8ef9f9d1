echo "hello, $NAME"
