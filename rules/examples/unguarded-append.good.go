func (v *View) follow(conn *websocket.Conn) error {
	for {
		var part Part
		if err := conn.ReadJSON(&part); err != nil {
			return err
		}
		if part.Number <= v.lastPart {
			continue
		}
		v.lastPart = part.Number
		v.transcript += part.Text
	}
}
