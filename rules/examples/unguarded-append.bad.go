func (v *View) follow(conn *websocket.Conn) error {
	for {
		var part Part
		if err := conn.ReadJSON(&part); err != nil {
			return err
		}
		v.transcript += part.Text // sent once more after a reconnect, it stands there twice
	}
}
